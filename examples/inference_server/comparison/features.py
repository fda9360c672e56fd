"""Features by Feast's SDK, from its remote online store. It takes no deadline and no trace context."""

import math
import time

import numpy as np
from feast import FeatureStore


class Features:
    def __init__(self, repository, features, max_age_seconds):
        self.store = FeatureStore(repository)
        self.features = features
        self.names = [feature.split(":")[1] for feature in features]
        self.max_age_seconds = max_age_seconds

    def fetch(self, entities, rows):
        """A row-major matrix, NaN where there is no value, and the names of the columns."""
        response = self.store.get_online_features(
            features=self.features,
            entity_rows=[{name: values[row] for name, values in entities.items()} for row in range(rows)],
        )
        answer = response.to_dict(include_event_timestamps=True)
        oldest = time.time() - self.max_age_seconds
        matrix = np.empty((rows, len(self.names)), dtype=np.float32)
        for column, name in enumerate(self.names):
            for row, (value, when) in enumerate(zip(answer[name], answer[f"{name}__ts"])):
                matrix[row, column] = math.nan if value is None or when < oldest else value
        return matrix
