"""dlib's face recognition network in torch, and its adaptation to small faces."""
