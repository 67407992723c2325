"""How seldom a process looks for garbage in circles."""

import gc

YOUNG_OBJECTS = 50_000  # between two looks


def look_seldom() -> None:
    """Leave what there is now alone for good, and look at what comes later seldom.

    A batch, a page or a request makes up to thousands of objects that die with it, none of them in a circle: looking
    for circles as often as Python does found nothing, and a look at everything holds up whatever is on its way.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
