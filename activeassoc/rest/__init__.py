"""Models as a REST API: ``create_app(User, Role)`` is a FastAPI app with the routes of both, and of the lists below their records."""
