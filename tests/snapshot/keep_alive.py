"""A server that keeps its connections open, as AWS and Coze do: a closed one cannot be shared."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

OF_ONE_CONNECTION = {"connection", "content-length", "transfer-encoding"}


@contextmanager
def kept_open(behind: str) -> Iterator[str]:
    """The URL of a server that answers what the one `behind` it answers."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            """One request, of any method."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            back = HTTPConnection(urlsplit(behind).netloc)
            back.request(self.command, self.path, body, dict(self.headers))
            answer = back.getresponse()
            said = answer.read()
            back.close()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in OF_ONE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = pass_on  # noqa: N815 - the names that http.server looks for

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
