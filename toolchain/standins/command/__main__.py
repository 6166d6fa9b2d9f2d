"""The executable `pulumi-resource-command`."""

from __future__ import annotations

import sys

from toolchain.standins.stubs import only_the_protocol


def main() -> None:
    """Serve the provider until the engine goes away."""
    only_the_protocol()
    from pulumi.runtime.proto import provider_pb2_grpc

    from toolchain.standins import plugin
    from toolchain.standins.command.provider import CommandProvider

    provider = CommandProvider(plugin.EngineLog(plugin.engine_address(sys.argv[1:])))
    plugin.serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        # Every running command holds a worker, and Cancel must always find a free one.
        workers=512,
        on_stop=provider.stop,
    )


if __name__ == "__main__":
    main()
