"""Network captures: packets of tcpdump or Wireshark in, Records out."""
