"""Several RPC endpoints as one: who is asked, who is put aside and why, and when two have to agree."""

from keeper.look.rpc.endpoint import NoEndpointError as NoEndpointError
from keeper.look.rpc.health import EndpointStatus as EndpointStatus
from keeper.look.rpc.health import Limits as Limits
from keeper.look.rpc.pool import AgreementError as AgreementError
from keeper.look.rpc.pool import EndpointPool as EndpointPool
from keeper.look.rpc.pool import connect as connect
from keeper.look.rpc.pool import single as single
