"""A client of a Telenumerus service: register, pay in, order a number, get the code."""

from . import schema
from .client import CallFailed, Client, CodeNotYet, NoCode, NoReply
from .proof_of_work import solve_challenge
from .webhook import SignatureRefused, verify_webhook

__all__ = ["CallFailed", "Client", "CodeNotYet", "NoCode", "NoReply", "SignatureRefused", "schema", "solve_challenge", "verify_webhook"]
