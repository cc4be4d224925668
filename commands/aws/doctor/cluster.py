"""Whether the Dask scheduler of the settings answers and has workers. Nothing is run there."""

from commands.aws.dask_client import Patience, connected
from commands.aws.doctor.words import AWS, not_asked
from commands.aws.errors import AwsProblem
from storage.diagnosis import Diagnosis, Outcome

_WHAT = "[scan] pool"
_PATIENCE = Patience(scheduler=3.0, workers=1.0)


async def look(address: str) -> list[Diagnosis]:
    try:
        async with connected(address, _PATIENCE) as client:
            workers = int((await client.scheduler.identity(n_workers=0))["n_workers"])
    except AwsProblem as problem:
        how = 'start the scheduler, correct the address, or set pool = "local"'
        return [Diagnosis(AWS, Outcome.FAIL, _WHAT, str(problem), how)]
    if not workers:
        return [Diagnosis(AWS, Outcome.FAIL, _WHAT, "the scheduler answers and has no worker", "start workers")]
    said = f"the scheduler answers, with {workers} worker{'' if workers == 1 else 's'}"
    unseen = not_asked(AWS, "credentials of the workers", "each worker has its own, which only an audit tries")
    return [Diagnosis(AWS, Outcome.OK, _WHAT, said), unseen]
