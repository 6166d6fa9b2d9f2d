"""The certificate of Kafka's nodes, and the CA that signs nothing else."""
