"""Values in a text that the text itself names: cells of tables, elements, rows of SQL, blocks of YAML.

Every finder here goes once over the text, and says where values stand and what they may be called; whether a rule is
about such a name, and about the value, is asked in ``values.py``.
"""
