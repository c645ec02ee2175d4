"""What holds for a run: what was asked for before what the configuration of the checkout says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods.read.discover import Exclude

if TYPE_CHECKING:
    from codemods import Options
    from codemods.read.config import Config

Names = tuple[str, ...] | None  # None: nobody said


def options_of(config: Config, select: Names, ignore: Names, exclude: Exclude | None, assume: Names) -> Options:
    from codemods import Options

    own = Exclude(config.base, config.exclude or ())
    return Options(
        select=config.select if select is None else select,
        ignore=(config.ignore if ignore is None else ignore) or (),
        exclude=(own if exclude is None else exclude,),
        assume=(config.assume if assume is None else assume) or (),
        contracts=config.contracts,
    )
