"""What runs until it is stopped: the desired state, the verbs that change it, and who may ask for them."""
