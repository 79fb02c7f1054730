"""The services' resources as frozen descriptions, one file per service; `listing` is what a stack may have left behind."""
