def compare(p):
    return []
