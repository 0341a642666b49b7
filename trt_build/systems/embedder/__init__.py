"""dlib's face recognition network, adapted to small faces."""
