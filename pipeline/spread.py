"""Where shards are grown: on this machine, or by the executors of a cluster, to the same bytes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from models.boosting import Grown
from models.shards import Growing, Shard, grow_packed, unpacked
from pipeline.engines import Engine, open_engine
from pipeline.params import Params


@contextmanager
def growing(params: Params) -> Iterator[Growing | None]:
    """How `fit` is to grow shards; None is this machine's threads, which serve unless `spark.trains`."""
    if params.engine != "spark" or not params.spark.trains:
        yield None
        return
    with closing(open_engine(params)) as engine:
        yield on(engine)


def on(engine: Engine) -> Growing:
    """Shards grown wherever an engine computes."""

    def grown(shard: Callable[[int], Shard], numbers: Sequence[int]) -> Sequence[Grown]:
        answers = engine.each(grow_packed, [shard(number).packed() for number in numbers])
        return [unpacked(answer) for answer in answers]

    return grown
