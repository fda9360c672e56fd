"""Asks each cell's question as Feast's Python client would, and prints what came of it.

usage: python urllib3_cells.py URL CELLS       prints [[answered, [wait, ...]], ...] as JSON

The session is set up as feast/permissions/client/http_auth_requests_wrapper.py does it; only time.sleep is
replaced, so that waits are told and not waited for.
"""

import json
import sys
import time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

url, cells = sys.argv[1], int(sys.argv[2])
waits = []
time.sleep = waits.append
results = []
for cell in range(cells):
    waits.clear()
    session = requests.Session()
    retry = Retry(
        total=3,
        backoff_factor=0.5,
        status_forcelist=[429, 500, 502, 503, 504],
        allowed_methods=["GET", "POST", "PUT", "DELETE"],
    )
    session.mount("http://", HTTPAdapter(pool_connections=10, pool_maxsize=50, max_retries=retry))
    try:
        answered = session.post(url, json={"features": ["v:a"], "entities": {"id": [cell]}}).status_code == 200
    except requests.exceptions.RequestException:
        answered = False
    except Exception as error:  # urllib3 raises InvalidHeader past requests
        assert type(error).__name__ == "InvalidHeader", error
        answered = False
    session.close()
    results.append([answered, [round(wait, 3) for wait in waits if wait > 0]])
print(json.dumps(results))
