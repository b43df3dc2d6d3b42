"""What the page says of itself: the first sentence, and the help behind the question mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle


def first_sentences(bundle: Bundle) -> tuple[str, str, str]:
    """Return what the page is, what its maps show, and what to do first.

    Parameters
    ----------
    bundle : Bundle
        That of the page.
    """
    step = bundle.seasons.step.name
    what = f"See a {step} of climate as {bundle.n_latent} numbers, and change them."
    shown = f"Target is the {step} as it was,"
    if bundle.has_statistics:
        return (
            what,
            f"{shown} Analysis what a neural network makes of it from the marked stations.",
            "Click a map to add one.",
        )
    return what, f"{shown} Model what a neural network draws from its numbers.", "Drag a slider."
