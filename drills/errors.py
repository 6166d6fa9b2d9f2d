"""How a drill ends other than by its end. Every message is a sentence for the user."""


class DrillError(Exception):
    """The drill can't go on."""


class Refused(DrillError):
    """It must not even begin: what was asked for is not allowed, or the cluster is not fit for it."""


class NotApplicable(DrillError):
    """This cluster, or this machine, has no way to do what the drill does; the message is the reason."""


class NotInTime(DrillError):
    """What was waited for did not come within its bound."""


class Interrupted(BaseException):
    """The user, or the loss of the cluster's lock, ended it. Like KeyboardInterrupt, nothing takes it for a failure."""
