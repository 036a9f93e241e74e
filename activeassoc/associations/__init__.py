"""The kinds of associations, one file each; `base` holds what they share.

`belongs_to` has the key on the source, `has_one` and `has_many` on the target, `many_to_many` both on a through model,
which `through` makes or checks.
"""
