"""The commands, one file each; heavy imports stay inside them so that help is quick."""
