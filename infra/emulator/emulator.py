"""AWS on this machine: usage: emulator.py PORT

moto answers the API on PORT; on PORT+1 are the load balancer and ECR's registry.
"""

import mail  # noqa: F401
import media  # noqa: F401
import memory  # noqa: F401
import outside
import repeats  # noqa: F401
import rollouts  # noqa: F401
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

ThreadedMotoServer(ip_address="127.0.0.1", port=outside.PORT - 1, verbose=False).start()
make_server("127.0.0.1", outside.PORT, outside.outside, threaded=True).serve_forever()
