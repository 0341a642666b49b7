"""Whether the engine of this container is ready: exit code 0 or 1. Run: python3 ready.py [URL]"""

import http.client
import ssl
import sys
import urllib.request

# Its port speaks TLS where the configuration has a certificate, which is for others to verify: this is the same machine.
urls = sys.argv[1:] or ["http://127.0.0.1:8765/ready", "https://127.0.0.1:8765/ready"]
unverified = ssl.create_default_context()
unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
for url in urls:
    try:
        with urllib.request.urlopen(url, timeout=2, context=unverified) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{url}: {error!r}\n")
sys.exit(1)
