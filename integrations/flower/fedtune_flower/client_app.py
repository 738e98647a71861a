"""Nodes of this app are native programs; Flower still wants the name of a ClientApp."""

from flwr.clientapp import ClientApp

app = ClientApp()
