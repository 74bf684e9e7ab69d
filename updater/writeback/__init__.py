"""Plans a write-back: which file of which branch, or which patch, and the words that go with it. Pure.

planning.py    plan(): the whole decision
wanted.py      what each image is to be
git_file.py    the method git; live_patch.py: the method argocd
messages.py    commit message, branch name, trailers
"""

from updater.overrides.edit import Edit
from updater.writeback.messages import trailers
from updater.writeback.model import FileChange, ImageChange, Plan, WriteBackError
from updater.writeback.planning import plan

__all__ = ["Edit", "FileChange", "ImageChange", "Plan", "WriteBackError", "plan", "trailers"]
