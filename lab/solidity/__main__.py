"""`python -m lab.solidity [FOLDERS]`: the tests of the contracts in Solidity, on the build of `make compile`."""

from __future__ import annotations

import sys

import click

from lab.fuzz import forge
from lab.fuzz.errors import FuzzError
from lab.localnet.session import interrupt_on_terminate
from lab.solidity import suite
from lab.solidity.areas import CONTRACTS
from lab.solidity.errors import SolidityError


@click.command()
@click.argument("folders", nargs=-1, type=click.Choice(sorted(CONTRACTS)))
def main(folders: tuple[str, ...]) -> None:
    """Run the tests of tests/solidity, or of these FOLDERS of it."""
    forge.lay_contracts(names=suite.deployed_names())
    suite.build()
    run = suite.test(folders)
    if run.failed is not None:
        raise SolidityError(f"{run.failed} failed:\n{run.text}")
    click.echo(f"{run.passed} tests passed")


if __name__ == "__main__":
    interrupt_on_terminate()
    try:
        main(standalone_mode=False)
    except (FuzzError, SolidityError, click.ClickException) as error:
        click.echo(f"solidity: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
