"""The rules: messages, the message network, negotiation, games, bargaining, pricing, settlement."""
