"""Tables one below the other, with names as codes where there are many rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals


def stack(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate; columns coded in any of the frames, which all must have, stay coded."""
    coded = {
        column: place
        for frame in frames
        for place, column in enumerate(frame)
        if isinstance(frame[column].dtype, pd.CategoricalDtype)
    }
    whole = pd.concat([frame.drop(columns=list(coded)) for frame in frames], ignore_index=True)
    for column, place in sorted(coded.items(), key=lambda item: item[1]):
        values = union_categoricals([frame[column].astype("category") for frame in frames])
        whole.insert(place, column, values)
    return whole


def repeated(value: str, count: int) -> pd.Categorical:
    """A column that says the same in every row."""
    return pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), [value])
