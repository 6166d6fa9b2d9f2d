# What k3d's tools container and the volume helper's pod run: Debian's static busybox.
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p -m 1777 /tmp && mkdir -p /etc /root
CMD ["sh"]
