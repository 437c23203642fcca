"""The embedded PostgreSQL: a real server in the data folder, for those who have set up none.

Read `embedded.py` first. `user.py` says who the server runs as, `place.py` where it lies,
`binaries.py` which programs it is, `cluster.py` makes its data, `server.py` starts and stops it.
"""
