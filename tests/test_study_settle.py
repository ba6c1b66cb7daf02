"""A row of the study begins when the one before has left nothing."""

import socket
import threading

from support import LIMIT, library

library("uvloop")
study = library("antspy.study.study")


def test_a_row_begins_when_the_server_has_closed_the_connections_of_the_row_before() -> None:
    with study.listen(0) as listener:
        address = listener.getsockname()
        port = address[1]
        server = study.start_server(listener, 0.0)
    with server:
        study.first_message(server, "starting the server")
        with socket.create_connection(address) as left:
            waits = threading.Thread(target=study.settle, args=[port])
            waits.start()
            waits.join(0.3)
            assert waits.is_alive()
            left.close()
            waits.join(LIMIT)
            assert not waits.is_alive()
    study.settle(port)  # nobody listens: it does not wait
