puts "Hello"
