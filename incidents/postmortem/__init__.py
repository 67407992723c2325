"""The post-mortem of an incident and its picture, made of the record: the same record is always the same text. Pure."""
