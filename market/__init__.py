"""The rules: messages, the message network, negotiation, bargaining, certificates, settlement."""
