"""Entry point: `pulumi-resource-kubernetes [flags] ENGINE_ADDRESS`."""

from __future__ import annotations

import sys

from toolchain.standins.stubs import only_the_protocol


def main() -> None:
    """Serve the plugin until the engine goes away."""
    only_the_protocol()
    from pulumi.runtime.proto import provider_pb2_grpc

    from toolchain.standins.kubernetes.provider import KubernetesProvider
    from toolchain.standins.plugin import EngineLog, engine_address, serve

    provider = KubernetesProvider(EngineLog(engine_address(sys.argv[1:])))
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        on_stop=provider.stop,
    )


if __name__ == "__main__":
    main()
