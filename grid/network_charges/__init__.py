"""What a trade between two buses pays for the wires: one rule per file, and what they bring in.

Every rule gives a matrix, sellers in the rows and buyers in the columns, in the order of the buses
that are asked for: currency for each kWh traded between the two.
"""
