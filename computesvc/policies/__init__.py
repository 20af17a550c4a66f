"""Who may do what, by Nova's names; one module for each noun."""
import importlib
import pkgutil


def list_rules() -> list:
    """Every rule of every noun."""
    modules = (importlib.import_module(f'{__name__}.{info.name}') for info in pkgutil.iter_modules(__path__))
    return [rule for module in modules for rule in getattr(module, 'RULES', ())]
