"""The dashboard: all that the sandbox holds, and all that the API can do by a click."""
