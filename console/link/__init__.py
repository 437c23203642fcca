"""The console's side of MQTT: who may say what, the broker, and the way in and out."""
