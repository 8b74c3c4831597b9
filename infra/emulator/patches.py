"""How moto is made to do more."""


def patch(owner, name):
    """Puts the function below it in the place of a method. It gets that method, if there is one, as its first argument."""

    def put(function):
        method = getattr(owner, name, None)
        setattr(owner, name, lambda self, *args, **kwargs: function(method, self, *args, **kwargs))
        return function

    return put
