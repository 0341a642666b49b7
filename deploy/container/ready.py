"""Whether the engine of this container is ready: exit code 0 or 1. Run: python3 ready.py [URL]"""

import sys
import urllib.error
import urllib.request

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8765/ready"
try:
    with urllib.request.urlopen(url, timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
    sys.stderr.write(f"{url}: {error}\n")
    sys.exit(1)
