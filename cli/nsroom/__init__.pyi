from nsroom.api import Client as Client
from nsroom.api import ConnectError as ConnectError
from nsroom.api import ExpectationError as ExpectationError
from nsroom.api import LostError as LostError
from nsroom.api import NsroomError as NsroomError
from nsroom.api import Record as Record
from nsroom.api import RefusedError as RefusedError
from nsroom.api import UsageError as UsageError
from nsroom.api import WaitError as WaitError
from nsroom.api import connect as connect

__version__: str
STARTED: float
