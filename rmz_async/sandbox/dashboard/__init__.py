"""The dashboard: everything that the sandbox holds, and everything that the API can do, by a click."""
