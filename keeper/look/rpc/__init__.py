"""Several RPC endpoints as one: which is asked, which is put aside and why, and when two must agree."""

from keeper.look.rpc.endpoint import NoEndpointError as NoEndpointError
from keeper.look.rpc.health import EndpointStatus as EndpointStatus
from keeper.look.rpc.health import Limits as Limits
from keeper.look.rpc.pool import AgreementError as AgreementError
from keeper.look.rpc.pool import Pool as Pool
from keeper.look.rpc.pool import connect as connect
from keeper.look.rpc.pool import single as single
