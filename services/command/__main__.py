"""The commands without the services: what the image of the command line runs."""

from services.command import entry

if __name__ == "__main__":
    entry.run(entry.commands())
