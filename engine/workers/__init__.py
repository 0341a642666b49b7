"""The processes of a run, by name: camera, recording, perceive, enhance and publish; and the messages and ways between them.

Each is a shell: it gives what its neighbours send to a core, and sends on what the core says.
"""
