"""What can keep the server from starting: each text names the thing, the cause and what to do."""


class ServerError(Exception):
    """The server cannot start."""


class ConfigError(ServerError):
    """The configuration is wrong; nothing was opened."""


class ListenError(ServerError):
    """The address cannot be listened on."""


class AddressInUseError(ListenError):
    """Something else listens on the address."""


class BusError(ServerError):
    """Redis cannot be reached."""
