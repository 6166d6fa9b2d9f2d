"""The executable `pulumi-language-python`."""

from __future__ import annotations

import sys

from toolchain.standins.stubs import only_the_protocol


def main() -> None:
    """Serve the language host until the engine goes away."""
    only_the_protocol()
    from pulumi.runtime.proto import language_pb2_grpc

    from toolchain.standins import plugin
    from toolchain.standins.language.host import LanguageHost

    host = LanguageHost(plugin.engine_address(sys.argv[1:]) or "")
    plugin.serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        on_stop=host.stop,
    )


if __name__ == "__main__":
    main()
