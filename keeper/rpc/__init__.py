"""Several RPC endpoints as one: who is asked, who is put aside and why, and when two have to agree."""

from keeper.rpc.endpoint import NoEndpointError as NoEndpointError
from keeper.rpc.health import EndpointStatus as EndpointStatus
from keeper.rpc.health import Limits as Limits
from keeper.rpc.pool import AgreementError as AgreementError
from keeper.rpc.pool import Pool as Pool
from keeper.rpc.pool import connect as connect
from keeper.rpc.pool import single as single
