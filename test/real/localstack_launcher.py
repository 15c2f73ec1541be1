"""Starts LocalStack on the IPv4 loopback address only, with all its files below TMPDIR.

LocalStack 4.14.0 passes the port of GATEWAY_LISTEN to twisted but not its IPv4 host, so it would
listen on all addresses. Here an unset interface means 127.0.0.1. Its S3 has a fixed directory
below /tmp that all instances share and none removes; here each takes a new one. Run this with the
Python of the venv that install.sh makes; the environment is the one that localstack.ts sets.
"""

from twisted.internet import reactor

listen_tcp = reactor.listenTCP


def listen_on_loopback(port, factory, backlog=50, interface=""):
    return listen_tcp(port, factory, backlog, interface or "127.0.0.1")


# Before LocalStack is imported; its server looks the method up on this same object.
reactor.listenTCP = listen_on_loopback


def main():
    from localstack.runtime.main import main as run
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore

    init = EphemeralS3ObjectStore.__init__
    # Without a directory it makes one with mkdtemp.
    EphemeralS3ObjectStore.__init__ = lambda self, root_directory=None: init(self)
    run()


if __name__ == "__main__":
    main()
