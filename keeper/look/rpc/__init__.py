"""Several RPC endpoints as one: which one to query, which to put aside and why, and when two must agree."""

from keeper.look.rpc.endpoint import NoEndpointError
from keeper.look.rpc.health import EndpointLimits, EndpointStatus
from keeper.look.rpc.pool import AgreementError, EndpointPool, connect, single

__all__ = ["AgreementError", "EndpointLimits", "EndpointPool", "EndpointStatus", "NoEndpointError", "connect", "single"]
