module kafka-ha/testbed/k3s

go 1.25
