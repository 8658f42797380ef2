"""The endpoints for files and speech, as far as they refuse: no visitor here has a microphone."""

from tests.local.coze.call import Answer, Call
from tests.local.coze.errors import bad_request


def without_file(_call: Call) -> Answer:
    """POST of a file, which never comes."""
    raise bad_request("file is required")


def without_input(_call: Call) -> Answer:
    """POST of a text to be spoken, which never comes."""
    raise bad_request("input is required")
